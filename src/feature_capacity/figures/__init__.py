"""What the pages of the book draw: arrays and records in, a matplotlib ``Figure`` out.

A module a page, with the page's name; what several pages draw is in modules of its own.
A figure function computes nothing, saves nothing and changes no global setting.
"""
