"""From the micrograph as read to the image that the labeler and the network see."""
