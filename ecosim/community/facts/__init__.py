"""What a community scenario may say, subject by subject: plain checked data, no behaviour."""
