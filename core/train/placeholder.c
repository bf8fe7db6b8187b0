typedef int placeholder_train;
