"""Smart manufacturing: suppliers, manufacturers and distributors negotiate, contract, produce, deliver and settle."""
