"""Rules that the ecosystems use: who owns what (`ledger`), how two parties come to a price (`bargain`), and so on."""
