typedef int placeholder_data;
