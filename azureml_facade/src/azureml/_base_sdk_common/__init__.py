"""Ground that the configuration classes stand on."""
