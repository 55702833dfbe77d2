#include "recipes/diagnostic.h"
