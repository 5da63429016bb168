"""Screens: the main one, the start form, questions and texts."""
