"""The pages that are made from the code, and the documentation's site. Nothing of it is part of the product."""
