#include "gateway/sluiced.h"

int main(int argc, char** argv) { return sluice::RunSluiced(argc, argv); }
