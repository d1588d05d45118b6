"""Where the original kept the base of its exceptions; scripts import it from here."""
