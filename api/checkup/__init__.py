"""What `kuaijing doctor` looks at: the machine, the data, a service's folder."""
