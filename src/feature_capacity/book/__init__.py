"""The machinery of the book; no science.

project       where the book is
pages         the executable pages: listed, paired, executed
parameters    what can be set in a page
build         what changed is executed and rendered
claims        what sources say, and whether it holds
batches       one page under many settings
export        one page as HTML, all of them as PDF
"""
