"""One function per figure: records and arrays in, a matplotlib ``Figure`` out.

A figure function computes nothing, saves nothing and changes no global setting.
The modules follow the chapters; import a function from its chapter's module.
"""
