"""What ``taskq doctor`` looks at before anything is graded: whether an adapter can be judged here at all."""
