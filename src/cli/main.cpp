#include "cli/cli.hpp"

int main(int argc, char** argv) {
    return whorl::run_program(argc, argv);
}
