"""Installations with something wrong in them, made of good ones by a seed."""
