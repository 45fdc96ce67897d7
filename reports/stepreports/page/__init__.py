"""report.html: its data, its sections, and in assets/ its templates and scripts. Imports figures and below."""
