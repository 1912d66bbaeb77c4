"""What somebody on call should hear of: the conditions, what is measured of them, and the notices about them."""
