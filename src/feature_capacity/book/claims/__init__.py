"""What sources say, and whether it holds.

registry      what is claimed, and what would count as agreement
checks        the page's recorder: ``open_page``
verdicts      the outcome, as lines and tables
"""
