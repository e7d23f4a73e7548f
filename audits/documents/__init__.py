"""Word documents of audit cases: the letterhead and its templates, and per family what is written in them."""
