"""What Coal Mine knows, without any I/O: values, changes of state and the interfaces that the outside must offer."""
