"""What is deployed: image, compose file, Kubernetes. Nothing here needs an engine or a cluster."""
