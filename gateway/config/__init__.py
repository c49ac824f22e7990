"""Settings from the environment, discovery of backends and the price book."""
