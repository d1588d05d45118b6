"""The command ``sublight``: one file per noun, over the SDK. What is slow to load is loaded inside the commands."""
