#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#ifndef SCEP_VERSION
#define SCEP_VERSION "0.1"
#endif

#endif
