"""The report of a scaling: ranks beside the best that one process does, on one page.

scale_records   what is stored, and read back
scaled          what follows: ratios, efficiency, communication, the model, and from how many ranks on it pays
scale_told      in words, tables, Markdown and JSON
scale_figures   drawn
scale_page      the page, and everything written
"""
