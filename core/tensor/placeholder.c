typedef int placeholder_tensor;
