"""The Python front door: what `import xenos` offers."""
