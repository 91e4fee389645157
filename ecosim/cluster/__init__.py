"""Answering elsewhere: the same hosts and pool workers in this process, on Ray, or in a simulation of bad luck."""
