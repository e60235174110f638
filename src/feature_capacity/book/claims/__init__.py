"""What sources say, and whether it holds.

- ``registry``: what is claimed, and what would count as agreement
- ``checks``: the recorder of a page, ``open_page``
- ``verdicts``: the outcome, as lines and tables
"""
