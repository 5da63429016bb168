"""Widgets: they are given frozen pictures and never see the runtime."""
