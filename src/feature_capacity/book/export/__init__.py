"""The book in other forms.

- ``standalone``: one page as one HTML file; ``links``: where its links lead
- ``pdf``: all pages as one PDF
- ``browser``: what prints
"""
