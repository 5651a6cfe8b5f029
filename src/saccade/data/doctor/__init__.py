"""The doctor: what is wrong with a set of pictures, found before training and told by path."""
