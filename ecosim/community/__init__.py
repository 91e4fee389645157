"""The creator community: human and AI creators publish, a feed recommends, viewers watch, like, follow and leave."""
