"""What sources say, and whether it holds.

- ``registry``: what is claimed, and what would count as agreement
- ``kinds``: how claims are compared with what was measured
- ``checks``: the recorder of a page, ``open_page``
- ``verdicts``: the outcome, as lines and as the table of a page
- ``tables``: all verdicts of the book
"""
