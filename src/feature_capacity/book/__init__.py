"""The machinery of the book; no science.

- ``project``: where the book is
- ``pages``: the executable pages, listed, paired and executed; ``listing``: as a list to read
- ``parameters``: what can be set in a page
- ``build``: what changed is executed and rendered
- ``claims``: what sources say, and whether it holds
- ``batches``: one page under many settings
- ``export``: one page as HTML, all of them as PDF
- ``figure_list``, ``run_details``: what the build writes into the book; ``html``: by templates
- ``files``: output that is never half-written; ``unfinished``: where it is until it is whole
"""
