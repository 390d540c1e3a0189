"""Migrations that are begun here: their folder and name, a skeleton, and the one that takes another back."""
