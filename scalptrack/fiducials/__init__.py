"""The printed card in a photograph: scale and colour."""
