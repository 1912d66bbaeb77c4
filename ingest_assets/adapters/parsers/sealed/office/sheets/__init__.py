"""Spreadsheets as they are shown: formatted values in tables, without what is hidden, which is counted."""
