typedef int placeholder_plugin;
