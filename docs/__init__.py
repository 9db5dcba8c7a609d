"""The documentation: `pages/` as they are written, and what makes a site of them."""
