"""Word documents of monitoring: the shipped template, what fills it, and how the template is built."""
