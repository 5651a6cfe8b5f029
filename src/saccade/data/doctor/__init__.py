"""The doctor: what is wrong with a set of images, found before training and listed by path."""
