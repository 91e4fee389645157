"""Moderation: harm planted in posts, small classifiers that look for it, what is done about it, and appeals."""
