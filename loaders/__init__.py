"""Coursette: what a teacher can download from Moodle, made explorable."""

__version__ = "0.1.0"
