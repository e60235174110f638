"""The machinery of the book; no science.

- ``project``: where the book is
- ``pages``: the executable pages, listed, paired and executed; ``listing``: as a list to read
- ``parameters``: what can be set in a page
- ``build``: what changed is executed and rendered
- ``claims``: what sources say, and whether it holds
- ``batches``: one page under many settings
- ``export``: one page as HTML, all of them as PDF
- ``figure_list``, ``run_details``, ``launching``: what the build writes into the book
- ``files``: output that is never half-written
"""
