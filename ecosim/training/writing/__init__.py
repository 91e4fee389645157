"""Adapters that write titles, and the audiences that choose among them."""
