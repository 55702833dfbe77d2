#include "merge/report.h"
