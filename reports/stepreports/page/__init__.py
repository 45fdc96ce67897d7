"""report.html: the page, its data, its sections, and its templates and scripts in web/. Imports figures and below."""
