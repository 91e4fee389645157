"""What a scenario may say of each subject: plain facts, checked by themselves; `scenario` checks them together."""
